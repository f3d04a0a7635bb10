// A stand-in: see README.md beside it.
#pragma once

#include <chrono>
#include <cstdint>

#include "mbed.h"

typedef enum { osPriorityNormal = 24, osPriorityAboveNormal = 32 } osPriority;
typedef enum { osOK = 0 } osStatus;

namespace rtos {

class Thread {
 public:
  Thread(osPriority priority, uint32_t stack_size, unsigned char* stack, const char* name);
  osStatus start(mbed::Callback<void()> task);
};

namespace ThisThread {
void sleep_for(std::chrono::duration<uint32_t, std::milli> time);
}

}  // namespace rtos
