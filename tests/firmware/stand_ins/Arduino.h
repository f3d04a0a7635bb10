// A stand-in: see README.md beside it.
#pragma once

#include <cstddef>
#include <cstdint>

typedef uint8_t pin_size_t;
typedef enum { LOW = 0, HIGH = 1 } PinStatus;
typedef enum { INPUT = 0, OUTPUT = 1 } PinMode;

#define LEDR (22u)
#define LEDG (23u)
#define LEDB (24u)
#define LED_PWR (25u)

void pinMode(pin_size_t pin, PinMode mode);
void digitalWrite(pin_size_t pin, PinStatus value);
unsigned long millis(void);
unsigned long micros(void);
void delay(unsigned long ms);
void yield(void);
