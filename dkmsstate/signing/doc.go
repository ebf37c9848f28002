// Package signing finds the key with which dkms(8) signs modules, why dkms did not sign a
// module, and whether the firmware knows the key. It changes nothing and enrols nothing.
package signing
