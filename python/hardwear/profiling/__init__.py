"""What an engine costs on the emulated Cortex-M4, step by step: instructions, modelled cycles, stack and RAM."""
