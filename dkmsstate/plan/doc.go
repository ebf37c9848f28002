// Package plan says what is to be done on a kernel, from a Snapshot and nothing else: it
// reads no file, and the same snapshot gives the same plan.
package plan
