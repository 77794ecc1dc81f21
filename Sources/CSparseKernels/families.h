/* The kernel families, made for the vector headers that were included before. */
#include "attend.h"
#include "factors.h"
#include "gemv.h"
#include "kernels.h"
#include "quantise.h"
#include "refine.h"
#include "spvmm.h"
#include "sum_bytes.h"
#include "vmmsp.h"

#define KERNELS {gemv, spvmm, vmmsp, select_channels, decide, complete, refine, quantise, attend, sum_bytes}
