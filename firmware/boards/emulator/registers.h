// The few registers of the Cortex-M4 and of the MPS2's CMSDK peripherals that this board uses.
//
// Sources: ARMv7-M Architecture Reference Manual (DDI 0403E), B3.2 to B3.5; Cortex-M System Design Kit (DDI 0479),
// 4.3 APB UART and 4.1 APB timer; Application note AN386 for the addresses.
#pragma once

#include <cstdint>

namespace hardwear {
namespace registers {

inline volatile uint32_t& at(uint32_t address) { return *reinterpret_cast<volatile uint32_t*>(address); }

// CMSDK UART 0: one byte of receive buffer, one of transmit buffer.
inline volatile uint32_t& uart_data() { return at(0x40004000); }
inline volatile uint32_t& uart_state() { return at(0x40004004); }
inline volatile uint32_t& uart_control() { return at(0x40004008); }
inline volatile uint32_t& uart_interrupts() { return at(0x4000400C); }
inline volatile uint32_t& uart_baud_divider() { return at(0x40004010); }
constexpr uint32_t kUartTransmitFull = 1u << 0;
constexpr uint32_t kUartReceiveFull = 1u << 1;
constexpr uint32_t kUartReceiveOverrun = 1u << 3;
constexpr uint32_t kUartEnableTransmit = 1u << 0;
constexpr uint32_t kUartEnableReceive = 1u << 1;
constexpr uint32_t kUartReceiveInterrupt = 1u << 1;         // bit in uart_interrupts(), write 1 to clear
constexpr uint32_t kUartReceiveOverrunInterrupt = 1u << 3;  // the same
constexpr uint32_t kUartEnableReceiveInterrupt = 1u << 3;
constexpr uint32_t kUartEnableOverrunInterrupt = 1u << 5;
constexpr uint32_t kUartReceiveLine = 0;  // number of the interrupt at the NVIC
constexpr uint32_t kUartOverrunLine = 12;

// CMSDK timer 0: counts down at 25 MHz.
inline volatile uint32_t& timer_control() { return at(0x40000000); }
inline volatile uint32_t& timer_value() { return at(0x40000004); }
inline volatile uint32_t& timer_reload() { return at(0x40000008); }
constexpr uint32_t kTimerEnable = 1u << 0;

// System control space.
inline volatile uint32_t& nvic_enable() { return at(0xE000E100); }
inline volatile uint32_t& nvic_set_pending() { return at(0xE000E200); }
inline volatile uint32_t& nvic_disable() { return at(0xE000E180); }
inline volatile uint32_t& fault_handlers() { return at(0xE000ED24); }  // SHCSR
inline volatile uint32_t& fault_status() { return at(0xE000ED28); }    // CFSR
inline volatile uint32_t& memory_fault_address() { return at(0xE000ED34); }
inline volatile uint32_t& bus_fault_address() { return at(0xE000ED38); }
inline volatile uint32_t& coprocessor_access() { return at(0xE000ED88); }
inline volatile uint32_t& mpu_control() { return at(0xE000ED94); }
inline volatile uint32_t& mpu_region_number() { return at(0xE000ED98); }
inline volatile uint32_t& mpu_region_base() { return at(0xE000ED9C); }
inline volatile uint32_t& mpu_region_attributes() { return at(0xE000EDA0); }

inline void barrier() { __asm__ volatile("dsb\n isb" ::: "memory"); }

}  // namespace registers
}  // namespace hardwear
