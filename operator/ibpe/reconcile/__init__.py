"""From one resource and what AWS shows to what must be done, doing it, and saying so."""
