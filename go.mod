module dkms-hooks

go 1.24

require (
	github.com/klauspost/compress v1.18.0
	github.com/rogpeppe/go-internal v1.12.0
	github.com/stretchr/testify v1.10.0
	github.com/urfave/cli/v2 v2.25.7
	github.com/xi2/xz v0.0.0-20171230120015-48954b6210f8
	golang.org/x/sys v0.22.0
	mvdan.cc/sh/v3 v3.8.0
	pault.ag/go/debian v0.16.0
)

require (
	github.com/cpuguy83/go-md2man/v2 v2.0.2 // indirect
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	github.com/russross/blackfriday/v2 v2.1.0 // indirect
	github.com/xrash/smetrics v0.0.0-20201216005158-039620a65673 // indirect
	golang.org/x/tools v0.17.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)
