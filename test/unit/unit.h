/* SPDX-License-Identifier: Apache-2.0 */
/* What every host unit test includes; cmocka wants these before its header. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
