package archtest

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

func TestPackageDocs(t *testing.T) {
	for _, p := range load(t) {
		for _, want := range []string{"May import:", "Concurrency:"} {
			if !strings.Contains(p.doc, want) {
				t.Errorf("the package document of %s does not say %q", p.path, want)
			}
		}
	}
}

func TestNoInit(t *testing.T) {
	for _, p := range load(t) {
		for name, f := range p.files {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s has an init function", name)
				}
			}
		}
	}
}

// Package variables are errors, tables that nothing assigns to, embedded files
// and compile-time checks; nothing else.
func TestNoMutablePackageVariables(t *testing.T) {
	for _, p := range load(t) {
		vars := map[string]bool{}
		for _, f := range p.files {
			for _, d := range f.Decls {
				if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
					for _, s := range g.Specs {
						for _, n := range s.(*ast.ValueSpec).Names {
							vars[n.Name] = n.Name != "_"
						}
					}
				}
			}
		}
		for name, f := range p.files {
			for _, target := range assigned(f) {
				if target.Obj == nil && vars[target.Name] { // unresolved in its file or resolved to the package
					t.Errorf("%s assigns to the package variable %s", name, target.Name)
				} else if target.Obj != nil && vars[target.Name] && isPackageLevel(f, target.Obj) {
					t.Errorf("%s assigns to the package variable %s", name, target.Name)
				}
			}
		}
	}
}

func assigned(f *ast.File) (targets []*ast.Ident) {
	note := func(e ast.Expr) {
		for {
			switch x := e.(type) {
			case *ast.Ident:
				targets = append(targets, x)
				return
			case *ast.IndexExpr:
				e = x.X
			case *ast.SelectorExpr:
				if id, ok := x.X.(*ast.Ident); ok && id.Obj == nil {
					return // another package's, or a type's
				}
				e = x.X
			default:
				return
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch s := n.(type) {
		case *ast.AssignStmt:
			if s.Tok != token.DEFINE {
				for _, l := range s.Lhs {
					note(l)
				}
			}
		case *ast.IncDecStmt:
			note(s.X)
		}
		return true
	})
	return targets
}

func isPackageLevel(f *ast.File, o *ast.Object) bool {
	return f.Scope != nil && f.Scope.Lookup(o.Name) == o
}

func TestSizes(t *testing.T) {
	var files, funcs []int
	for _, p := range load(t) {
		for name, f := range p.files {
			lines := p.fset.Position(f.FileEnd).Line
			files = append(files, lines)
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || fn.Body == nil {
					continue
				}
				n := p.fset.Position(fn.End()).Line - p.fset.Position(fn.Pos()).Line + 1
				funcs = append(funcs, n)
				if n > 80 {
					t.Errorf("%s: %s has %d lines; none may have more than 80", name, fn.Name.Name, n)
				}
			}
		}
	}
	if got := p90(files); got > 400 {
		t.Errorf("one file in ten has more than %d lines; 400 is the limit", got)
	}
	if got := p90(funcs); got > 40 {
		t.Errorf("one function in ten has more than %d lines; 40 is the limit", got)
	}
}

func p90(n []int) int {
	slices.Sort(n)
	return n[len(n)*9/10]
}
