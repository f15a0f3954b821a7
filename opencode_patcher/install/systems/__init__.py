"""What differs between operating systems: one module each, behind one Protocol."""
