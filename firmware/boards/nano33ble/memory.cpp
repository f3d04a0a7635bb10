#include "boards/nano33ble/memory.h"

#include <malloc.h>
#include <unistd.h>

// By the core's linker script.
extern "C" char __HeapLimit;

namespace hardwear {

uint32_t free_heap_bytes() {
  const char* unclaimed = static_cast<const char*>(sbrk(0));
  const uint32_t above = &__HeapLimit > unclaimed ? static_cast<uint32_t>(&__HeapLimit - unclaimed) : 0;
  return above + static_cast<uint32_t>(mallinfo().fordblks);
}

}  // namespace hardwear
