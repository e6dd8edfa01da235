#include "hv/nested/shadow.h"
volatile u64 shadow_generation;
void shadow_init(size_t pages) { (void)pages; }
u64 shadow_root(const struct npt12 *npt) { return npt->root; }
void shadow_flush(void) {}
enum shadow_result shadow_fault(const struct npt12 *npt, u64 l2pa, u64 error, u64 *info)
{ (void)npt; (void)l2pa; *info = error; return SHADOW_FAULT; }
