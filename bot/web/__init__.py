"""The HTTP edge: it reads bounded bodies, hands the work to threads and answers. No decision is made here."""
