"""Sources: who may post for one."""
