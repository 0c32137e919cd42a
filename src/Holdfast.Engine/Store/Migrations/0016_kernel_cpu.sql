-- How much of processors a kernel may use, in thousandths of one; null for no limit.
ALTER TABLE kernels ADD COLUMN cpu_millis_max INTEGER;
