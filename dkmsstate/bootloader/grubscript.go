package bootloader

import (
	"errors"
	"fmt"
	"slices"
)

// grubScript is a parsed script of GRUB.
type grubScript []grubCommand

// grubCommand is a command, or one of the statements if, for and function.
type grubCommand struct {
	// statement is "if", "for" or "function", "" for a command.
	statement string
	words     []grubWord
	// block is the body of a menu entry, a loop or a function. hasBlock reports whether a command
	// has one.
	block    grubScript
	hasBlock bool
	// branches are those of "if". The one without a condition is the last.
	branches []grubBranch
}

// grubBranch is a branch of "if".
type grubBranch struct {
	condition, body grubScript
	otherwise       bool
}

// maxGrubDepth bounds how deep statements are nested.
const maxGrubDepth = 100

// grubParser parses tokens.
type grubParser struct {
	tokens []grubToken
	depth  int
}

// parseGrub parses a script. A statement that it does not know is an error.
func parseGrub(text string) (grubScript, error) {
	tokens, err := grubTokens(text)
	if err != nil {
		return nil, err
	}
	p := &grubParser{tokens: tokens}
	script, err := p.list()
	if err != nil {
		return nil, err
	}
	if !p.atEnd() {
		return nil, fmt.Errorf("unexpected %q", p.describe())
	}
	return script, nil
}

func (p *grubParser) atEnd() bool { return p.tokens[0].mark == "" && p.tokens[0].word == nil }

// describe returns the next token.
func (p *grubParser) describe() string {
	if p.tokens[0].word != nil {
		return p.tokens[0].word.literal()
	}
	return p.tokens[0].mark
}

// keyword reports whether the next token is one of some words, and returns it.
func (p *grubParser) keyword(words ...string) string {
	if word := p.tokens[0].word.literal(); word != "" && slices.Contains(words, word) {
		return word
	}
	return ""
}

// skip goes to the next token.
func (p *grubParser) skip() { p.tokens = p.tokens[1:] }

// expect goes past a word or a mark.
func (p *grubParser) expect(text string) error {
	p.skipNewlines()
	if p.atEnd() || p.describe() != text {
		return fmt.Errorf("%q expected, not %q", text, p.describe())
	}
	p.skip()
	return nil
}

func (p *grubParser) skipNewlines() {
	for p.tokens[0].mark == "\n" {
		p.skip()
	}
}

// list parses commands up to the word or the mark that ends a block.
func (p *grubParser) list() (grubScript, error) {
	if p.depth++; p.depth > maxGrubDepth {
		return nil, errors.New("statements are nested too deep")
	}
	defer func() { p.depth-- }()
	var script grubScript
	for {
		p.skipNewlines()
		if p.atEnd() || p.tokens[0].mark == "}" || p.keyword("then", "elif", "else", "fi", "do", "done") != "" {
			return script, nil
		}
		command, err := p.command()
		if err != nil {
			return nil, err
		}
		script = append(script, command)
	}
}

// command parses a command or a statement.
func (p *grubParser) command() (grubCommand, error) {
	switch word := p.keyword("if", "for", "function", "while", "until", "case", "select", "time", "!", "[["); word {
	case "":
		return p.simple()
	case "if":
		return p.conditional()
	case "for":
		return p.loop()
	case "function":
		return p.function()
	default:
		return grubCommand{}, fmt.Errorf("%q is not supported", word)
	}
}

// simple parses words up to the end of the line, and the block behind them.
func (p *grubParser) simple() (grubCommand, error) {
	var c grubCommand
	for p.tokens[0].word != nil {
		c.words = append(c.words, p.tokens[0].word)
		p.skip()
	}
	if p.tokens[0].mark != "{" {
		return c, nil
	}
	var err error
	c.hasBlock = true
	c.block, err = p.braces()
	return c, err
}

// braces parses commands in braces.
func (p *grubParser) braces() (grubScript, error) {
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	script, err := p.list()
	if err != nil {
		return nil, err
	}
	return script, p.expect("}")
}

// conditional parses "if".
func (p *grubParser) conditional() (grubCommand, error) {
	c := grubCommand{statement: "if"}
	for p.keyword("if", "elif") != "" {
		p.skip()
		condition, err := p.list()
		if err == nil {
			err = p.expect("then")
		}
		if err != nil {
			return c, err
		}
		body, err := p.list()
		if err != nil {
			return c, err
		}
		c.branches = append(c.branches, grubBranch{condition: condition, body: body})
	}
	if p.keyword("else") != "" {
		p.skip()
		body, err := p.list()
		if err != nil {
			return c, err
		}
		c.branches = append(c.branches, grubBranch{body: body, otherwise: true})
	}
	return c, p.expect("fi")
}

// loop parses "for NAME in WORDS; do COMMANDS; done". The first of its words is the name.
func (p *grubParser) loop() (grubCommand, error) {
	c := grubCommand{statement: "for"}
	p.skip()
	for p.tokens[0].word != nil {
		c.words = append(c.words, p.tokens[0].word)
		p.skip()
	}
	if len(c.words) < 2 || c.words[0].literal() == "" || c.words[1].literal() != "in" {
		return c, errors.New(`"for" without "in"`)
	}
	c.words = slices.Delete(c.words, 1, 2)
	if err := p.expect("do"); err != nil {
		return c, err
	}
	var err error
	if c.block, err = p.list(); err != nil {
		return c, err
	}
	return c, p.expect("done")
}

// function parses "function NAME { COMMANDS }".
func (p *grubParser) function() (grubCommand, error) {
	c := grubCommand{statement: "function"}
	p.skip()
	if p.tokens[0].word.literal() == "" {
		return c, errors.New(`"function" without a name`)
	}
	c.words = []grubWord{p.tokens[0].word}
	p.skip()
	p.skipNewlines()
	var err error
	c.block, err = p.braces()
	return c, err
}
