package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"dkms-hooks/hooks"
)

func (p program) checkCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "find problems on all kernels, and repair them",
		Description: "Each problem is printed with its fix. The kinds are:\n\n" +
			"   broken         cannot be used as it is\n" +
			"   missing        not installed, and dkms would install it\n" +
			"   failed         missing, since its last build or installation failed\n" +
			"   required       not installed, although the configuration requires it\n" +
			"   forgotten      its package is installed, and it is not registered with dkms\n" +
			"   stale          does not fit its kernel\n" +
			"   refused        its kernel does not load it, because of its signature\n" +
			"   shadowed       modprobe loads another file in its place\n" +
			"   initramfs      the initramfs contains an older copy of it\n" +
			"   unowned        belongs to no build and to no package\n" +
			"   gone           left of a kernel that is gone\n" +
			"   leftover       left by an interrupted program\n" +
			"   unfinished     an earlier run on the kernel did not finish its work\n" +
			"   hook           a hook that does not run, or one of dkms that runs beside it\n" +
			"   configuration  a mistake in a configuration file\n\n" +
			"A file that was signed, stripped, recompressed or patched is reported as unusual, which is no problem. So is\n" +
			"a module that is not loaded because of a line of the administrator in depmod.d(5) or modprobe.d(5).\n\n" +
			"With --boot: whether the modules will be there if the system is rebooted now. Each wanted module of the\n" +
			"kernel that starts next loads, does not load, or it cannot be told. The initramfs is read if necessary.\n\n" +
			"The exit status is 0 if nothing is wrong, 1 if something is, and 3 if it cannot be determined or repaired.",
		Flags: []cli.Flag{
			&cli.BoolFlag{DisableDefaultText: true, Name: "boot", Usage: "whether the modules will be there after the next boot"},
			&cli.StringFlag{Name: "secure-boot", Usage: "with --boot and --root: whether the machine of the image has Secure Boot `ON|OFF`"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "repair", Usage: "register forgotten modules, build missing ones, and repair the rest"},
		},
		ArgsUsage:    " ", // none
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			inv, err := p.noArguments(c)
			if err != nil {
				return err
			}
			if inv.SecureBoot, err = secureBoot(c); err != nil {
				return err
			}
			if c.Bool("boot") && c.Bool("repair") {
				return errors.New("--boot and --repair cannot be used together")
			}
			return act(func(ctx context.Context) int {
				if c.Bool("boot") {
					return p.checkBoot(ctx, c, inv)
				}
				return p.check(ctx, c, inv)
			})
		},
	}
}

func (p program) check(ctx context.Context, c *cli.Context, inv hooks.Invocation) int {
	o, err := hooks.ReadOverview(ctx, inv)
	if err != nil {
		return p.failed(err)
	}
	code := 0
	repaired := c.Bool("repair") && (len(o.Findings) > 0 || o.RebootHeld != nil)
	if repaired {
		inv.Person = inv.Script.Name == ""
		if code = hooks.Repair(ctx, inv, o.Findings, p.stderr); ctx.Err() != nil {
			return code
		}
		if o, err = hooks.ReadOverview(ctx, inv); err != nil {
			return p.failed(err)
		}
	}
	p.printTroubles(o)
	out := p.page(c)
	defer out.Flush()
	repairable := 0
	for _, f := range o.Findings {
		out.finding(f, cell{"  fix: ", faint})
		if f.Repairable {
			repairable++
		}
	}
	for _, text := range o.Unusual {
		out.line(cell{"unusual", faint}, cell{": " + text, plain})
	}
	out.hooksOff(o, inv.Quiet)
	out.rebootHeld(o)
	switch {
	case len(o.Findings) > 0 && repaired:
		out.line(cell{fmt.Sprintf("problems left: %d", len(o.Findings)), bold})
	case repairable > 0:
		out.line(cell{fmt.Sprintf("problems: %d; %s can fix %d", len(o.Findings), inv.Command("dkms-hooks check --repair"), repairable), bold})
	case len(o.Findings) > 0:
		out.line(cell{fmt.Sprintf("problems: %d", len(o.Findings)), bold})
	case !inv.Quiet && len(o.Troubles) == 0:
		out.line(cell{fmt.Sprintf("no problems found (kernels: %d, modules: %d)", len(o.Kernels), len(o.Registered)), good})
	}
	return max(o.Status(), code)
}
