// Package signing answers whether a kernel takes a module, as far as the module's signature
// decides: whether the kernel enforces signatures, by which key the module is signed, and whether
// the kernel has that key. Each answer is made of files alone and is certain, or says that it cannot
// be told. Two sources that do not agree make it uncertain.
//
// It also finds the key with which dkms(8) signs modules, and why dkms did not sign one. It changes
// nothing and enrols nothing.
//
// The certificates, the signatures and the lists of the firmware are parsed here, in about 200 lines
// on encoding/asn1: crypto/x509 adds 900 kB to each hook, and github.com/smallstep/pkcs7 and
// github.com/foxboron/go-uefi need it. The parsers are bounded and fuzzed.
package signing
