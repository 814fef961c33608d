import { setProcessFlags } from '../../src/app/process-flags.ts';

// Loaded before a program that stands for a process of the product.
setProcessFlags();
