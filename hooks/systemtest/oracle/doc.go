// Package oracle judges by booting what `dkms-hooks status --json` predicts about the next
// boot. A cell is a machine with a question: does a module load, or which kernel starts. The
// answer is predicted from inside the running machine, or from its files with --root, before
// qemu boots the machine, and the boot is right.
package oracle
