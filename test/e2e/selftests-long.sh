#!/bin/bash
# All of Linux's tests of KVM, on the bare CPU, on KVM and on nestbox.elf.
SELFTESTS=long exec bash test/e2e/selftests.sh
