package dkmstest

import (
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

// KernelOf creates a kernel with one module of its own, and its headers. crc is the CRC of
// module_layout, 0 for a kernel without symbol versions. option selects the configuration
// (configOf). number is the number of the kernel's build.
func (f Root) KernelOf(crc uint32, option, number string) {
	f.ImageOf(crc, option, number)
	f.HeadersOf(crc, option, number)
}

// ImageOf creates the image and its module. KernelOf explains the arguments.
func (f Root) ImageOf(crc uint32, option, number string) {
	k := string(Kernel)
	f.Write("lib/modules/"+k+"/kernel/own.ko", string(kmodtest.File(kmodtest.Module{Vermagic: Magic, Uses: kmodtest.Uses(crc)}, "own")))
	f.Write("boot/config-"+k, configOf(option))
	f.Write("boot/System.map-"+k, strings.Repeat("map of "+option+" "+number, 1000))
	f.Depmod()
}

// HeadersOf creates the headers. KernelOf explains the arguments.
func (f Root) HeadersOf(crc uint32, option, number string) {
	build := "lib/modules/" + string(Kernel) + "/build/"
	hex := "0x00000000"
	if crc == 1 {
		hex = "0x00000001"
	} else if crc == 2 {
		hex = "0x00000002"
	}
	f.Write(build+"Module.symvers", hex+"\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n")
	f.Write(build+"include/config/auto.conf", configOf(option))
	f.Write(build+"include/generated/utsversion.h", number)
}

// configOf returns the configuration of a kernel. The letter option, y or m, selects a value
// that its structures depend on.
func configOf(option string) string {
	return "CONFIG_MODULES=y\nCONFIG_HZ=" + map[string]string{"y": "100", "m": "250"}[option] + "\n"
}

// InstallOf builds and installs a module whose file is ko.
func (f Root) InstallOf(m dkmsstate.Module, ko kmodtest.Module) {
	f.AddInstalled(m)
	f.Write(f.BuildFile(m), string(kmodtest.File(ko, m.String())))
	f.Write(f.InstalledFile(m.Name+".ko"), string(kmodtest.File(ko, m.String())))
}

// Built adds a module's file to the build of user/1.
func (f Root) Built(name string, ko kmodtest.Module) {
	f.Write("var/lib/dkms/user/1/6.1.0-test/x86_64/module/"+name+".ko", string(kmodtest.File(ko, name)))
}
