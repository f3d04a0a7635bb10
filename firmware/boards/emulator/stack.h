// How deep the stack went.
#pragma once

#include <cstdint>

namespace hardwear {

// Bytes of stack in use at the deepest moment since the paint: the start-up code paints the stack, this looks how much of
// the paint is left. Takes some thousand instructions; not from an interrupt.
uint32_t stack_high_water_bytes();

// Bytes of stack in use where this is called.
uint32_t stack_in_use_bytes();

// Paints all below the caller anew: from then on the high water is that of what follows. Not from an interrupt.
void repaint_stack();

}  // namespace hardwear
