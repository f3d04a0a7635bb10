// A stand-in: see README.md beside it.
#pragma once

#include <cstdint>

typedef struct {
  volatile uint32_t RESETREAS;
} NRF_POWER_Type;

#define NRF_POWER (reinterpret_cast<NRF_POWER_Type*>(0x40000400UL))
#define POWER_RESETREAS_RESETPIN_Msk (1UL << 0)
#define POWER_RESETREAS_DOG_Msk (1UL << 1)
#define POWER_RESETREAS_SREQ_Msk (1UL << 2)
#define POWER_RESETREAS_LOCKUP_Msk (1UL << 3)
