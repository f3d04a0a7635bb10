"""From a bundle to the headers that the firmware is built from."""
