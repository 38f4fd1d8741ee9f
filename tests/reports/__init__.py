"""Reports to look at: written into build/reports, and the functions by which the benchmarks take their figures."""
