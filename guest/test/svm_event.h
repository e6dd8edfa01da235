/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the payload svm_event, a file each, and what both need. */
#pragma once

#include "guest/test/svm_l2.h"

#define VECTOR_DE	    0
#define VECTOR_OF	    4
#define VECTOR_BR	    5
#define VECTOR_NM	    7
#define VECTOR_DF	    8
#define VECTOR_TS	    10
#define VECTOR_NP	    11
#define VECTOR_SS	    12
#define VECTOR_MF	    16
#define VECTOR_AC	    17
#define VECTOR_MC	    18
#define VECTOR_XF	    19
#define VECTOR_INT	    0x41
#define TAKEN		    0x7a /* RBX once the handler under test has run */
#define UNMAPPED	    0x140000008ull /* L2's page tables map 4 GiB */
#define PRESENT		    ((u64)VMCB_EVENT_VALID)
#define EVENT(type, vector) (PRESENT | VMCB_EVENT_##type | (vector))
#define WITH_CODE(code)	    ((u64)(code) << 32 | VMCB_EVENT_ERROR)
#define EXCEPTION(vector)   EVENT(EXCEPTION, vector)

extern const struct l2_table event_injections, event_deliveries, event_faults;

/* Code of L2: the handler under test, which sets RBX to TAKEN, and nothing. */
svm_code event_taken, event_nop;

u8 event_vector(u64 event);

/* The stack of L2's handler, whose first word is the error code if @code. */
u64 event_pushed(unsigned word, bool code);

/* The handler ran, on a frame of 5 words and the error code of @event, and
 * returns to @rip. */
void event_expect_taken(u64 event, u64 rip);
