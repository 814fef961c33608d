import { setProcessFlags } from '../../src/cli/process-flags.ts';

// Loaded before a program that stands for a process of the product.
setProcessFlags();
