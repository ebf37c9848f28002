// Package plan decides what is to be done on a kernel, from a Snapshot and nothing else. It
// reads no file, and the same snapshot results in the same plan.
package plan
