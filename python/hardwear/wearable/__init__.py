"""The wearable seen from Python: the twins of what only a worn board does, and the host's side of talking to one."""
