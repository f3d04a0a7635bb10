// How deep the stack went.
#pragma once

#include <cstdint>

namespace hardwear {

// Bytes of stack in use at the deepest moment since start: the start-up code paints the stack, this looks how much of
// the paint is left. Takes some thousand instructions; not from an interrupt.
uint32_t stack_high_water_bytes();

}  // namespace hardwear
