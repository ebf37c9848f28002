// Package signing finds by which key dkms(8) signs modules, why it did not sign one, and
// whether the firmware knows the key. It changes nothing and enrols nothing.
package signing
