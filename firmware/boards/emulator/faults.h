// What happens when the firmware reaches outside of its memory, or does another thing that the CPU refuses.
#pragma once

namespace hardwear {

// Reports the fault to the host as a LOG frame (which fault, where, at what address) and ends QEMU with
// ExitCode::kFault. For the vector table only.
void fault_handler();

}  // namespace hardwear
