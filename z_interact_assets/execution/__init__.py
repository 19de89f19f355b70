"""How work is carried out, whatever it is: leases of batches among runs, a window of work in flight, progress."""
