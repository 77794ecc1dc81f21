/* The kernel families, made for the vector header that was included before. */
#include "gate.h"
#include "gemv.h"
#include "kernels.h"
#include "spvmm.h"
#include "vmmsp.h"

#define KERNELS {gemv, spvmm, vmmsp, gate}
