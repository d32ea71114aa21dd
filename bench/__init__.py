"""What `make bench` runs: the bars of speed, measured on a generated company. Nothing here is part of the product."""
