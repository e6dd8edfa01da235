#!/bin/bash
# SVM conformance of KVM, which runs the same payloads as its guests: twenty
# seconds each, and what they show of nestbox.elf is in svm.sh.
SVM_PLATFORMS=kvm exec test/e2e/svm.sh "$@"
