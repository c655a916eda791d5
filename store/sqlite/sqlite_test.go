package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/store"
	"parley/store/storetest"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("SQLITE_TEST_WRITER"); path != "" {
		writeForEver(path)
	}
	goleak.VerifyTestMain(m)
}

func open(t *testing.T, path string) *DB {
	t.Helper()
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestStore(t *testing.T) {
	var path string
	storetest.Run(t, func(t *testing.T) store.Store {
		path = filepath.Join(t.TempDir(), "new", "dir", "parley.db")
		return open(t, path)
	}, func(t *testing.T, s store.Store) store.Store {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return open(t, path)
	})
}

// writeForEver saves turns and prints the number of each once it is saved.
func writeForEver(path string) {
	db, err := Open(context.Background(), path)
	if err == nil {
		err = db.SaveCall(context.Background(), store.Call{ID: "c", StartedAt: time.Unix(1, 0)})
	}
	for n := 1; err == nil; n++ {
		err = db.SaveTurn(context.Background(), store.Turn{CallID: "c", Number: n, StartedAt: time.Unix(1, 0)})
		fmt.Println(n)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// What was acknowledged is there after kill -9.
func TestSurvivesKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "SQLITE_TEST_WRITER="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fmt.Sscan(lines.Text(), &acknowledged)
		if acknowledged == 50 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // killed
	if acknowledged < 50 {
		t.Fatalf("the writer ended by itself after %d turns", acknowledged)
	}
	db := open(t, path)
	defer db.Close()
	turns, err := db.Turns(t.Context(), "c")
	if err != nil || len(turns) < acknowledged {
		t.Errorf("%d turns of %d acknowledged, %v", len(turns), acknowledged, err)
	}
}

func TestFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	defer open(t, path).Close()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// A path is a path, whatever a URI would make of its characters.
func TestOddPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "100% a?b#c&d é")
	path := filepath.Join(dir, "x y.db")
	db := open(t, path)
	defer db.Close()
	if err := db.SaveCall(t.Context(), store.Call{ID: "c", StartedAt: time.Unix(1, 0)}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("the data is not in %s: %v", path, err)
	}
	if info, err := os.Stat(path + "-wal"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("write-ahead log: %v", err)
	}
	var mode string
	if err := db.read.QueryRowContext(t.Context(), "PRAGMA journal_mode").Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal mode %q, %v", mode, err)
	}
}

func TestRefusesWhatItCannotRead(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "newer.db")
	raw, err := sql.Open("sqlite", newer)
	if err == nil {
		_, err = raw.Exec("PRAGMA user_version = 99")
	}
	if err != nil {
		t.Fatal(err)
	}
	raw.Close()
	for path, want := range map[string]string{garbage: "not a database", newer: "newer parley", dir: "is a directory"} {
		if db, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v", filepath.Base(path), db, err)
		}
	}
	if data, _ := os.ReadFile(garbage); !strings.HasPrefix(string(data), "no database") {
		t.Error("the file that was no database was written to")
	}
}
