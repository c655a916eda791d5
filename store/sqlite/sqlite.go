// Package sqlite is the embedded store: one SQLite file in WAL mode, without cgo.
//
// May import: store, internal/timeline and the SQLite driver.
// Concurrency: safe for concurrent use. One connection writes, so writers wait
// for each other; readers do not wait for them.
package sqlite

import (
	"context"
	"database/sql"
	_ "embed" // the schema
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite" // also the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"parley/store"
)

//go:embed schema.sql
var schema string

// schemaVersion is what PRAGMA user_version says of a file with schema.sql.
const schemaVersion = 1

// DB implements store.Store.
type DB struct {
	write *sql.DB // one connection
	read  *sql.DB
}

var _ store.Store = (*DB)(nil)

// Open opens the file at path, and makes it, readable by its owner only, and
// its directory where they do not exist. What was saved is in the write-ahead
// log when SaveCall or SaveTurn returns: it survives the death of the process;
// a power cut may take the last moments (synchronous=NORMAL).
func Open(ctx context.Context, path string) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("store/sqlite: make directory: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store/sqlite: open: %w", err)
	}
	f.Close()
	const pragmas = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(ON)"
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: pragmas}
	db := &DB{}
	if db.write, err = sql.Open("sqlite", name.String()+"&_txlock=immediate"); err == nil {
		db.write.SetMaxOpenConns(1)
		db.read, err = sql.Open("sqlite", name.String())
	}
	if err == nil {
		db.read.SetMaxOpenConns(4)
		err = db.migrate(ctx)
	}
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("store/sqlite: open %s: %w", path, err)
	}
	return db, nil
}

// migrate brings an empty file to the schema; one from a newer parley is left alone.
func (db *DB) migrate(ctx context.Context) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	switch {
	case version == schemaVersion:
		return nil
	case version > schemaVersion:
		return fmt.Errorf("the file was written by a newer parley (schema %d, this one knows %d)", version, schemaVersion)
	}
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", schemaVersion)); err != nil {
		return err
	}
	return tx.Commit()
}

// Close implements store.Store.
func (db *DB) Close() error {
	var errs []error
	for _, d := range []*sql.DB{db.read, db.write} {
		if d != nil {
			errs = append(errs, d.Close())
		}
	}
	return errors.Join(errs...)
}

// SaveCall implements store.Store.
func (db *DB) SaveCall(ctx context.Context, c store.Call) error {
	_, err := db.write.ExecContext(ctx, `
		INSERT INTO calls (id, started_at, ended_at, client, cause) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET started_at = excluded.started_at, ended_at = excluded.ended_at,
			client = excluded.client, cause = excluded.cause`,
		c.ID, stamp(c.StartedAt), stamp(c.EndedAt), c.Client, c.Cause)
	if err != nil {
		return fmt.Errorf("store/sqlite: save call: %w", err)
	}
	return nil
}

// SaveTurn implements store.Store.
func (db *DB) SaveTurn(ctx context.Context, t store.Turn) error {
	line, err := json.Marshal(t.Timeline)
	if err != nil {
		return fmt.Errorf("store/sqlite: save turn: %w", err)
	}
	_, err = db.write.ExecContext(ctx, `
		INSERT INTO turns (call_id, number, started_at, ended_at, input, user, reply, status, reason, timeline)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (call_id, number) DO UPDATE SET started_at = excluded.started_at, ended_at = excluded.ended_at,
			input = excluded.input, user = excluded.user, reply = excluded.reply, status = excluded.status,
			reason = excluded.reason, timeline = excluded.timeline`,
		t.CallID, t.Number, stamp(t.StartedAt), stamp(t.EndedAt), t.Input, t.User, t.Reply, t.Status, t.Reason, string(line))
	var refused *sqlite.Error
	if errors.As(err, &refused) && refused.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY {
		return fmt.Errorf("store/sqlite: save turn of call %q: %w", t.CallID, store.ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("store/sqlite: save turn: %w", err)
	}
	return nil
}

const callColumns = `id, started_at, ended_at, client, cause, (SELECT count(*) FROM turns WHERE call_id = id)`

// Call implements store.Store.
func (db *DB) Call(ctx context.Context, id string) (store.Call, error) {
	c, err := scanCall(db.read.QueryRowContext(ctx, "SELECT "+callColumns+" FROM calls WHERE id = ?", id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return c, store.ErrNotFound
	}
	if err != nil {
		return c, fmt.Errorf("store/sqlite: read call: %w", err)
	}
	return c, nil
}

// Calls implements store.Store.
func (db *DB) Calls(ctx context.Context, before time.Time, limit int) ([]store.Call, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+callColumns+` FROM calls
		WHERE ? = 0 OR started_at < ? ORDER BY started_at DESC, id DESC LIMIT ?`, stamp(before), stamp(before), limit)
	if err != nil {
		return nil, fmt.Errorf("store/sqlite: list calls: %w", err)
	}
	defer rows.Close()
	calls := []store.Call{}
	for rows.Next() {
		c, err := scanCall(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("store/sqlite: list calls: %w", err)
		}
		calls = append(calls, c)
	}
	return calls, rows.Err()
}

// Turns implements store.Store.
func (db *DB) Turns(ctx context.Context, callID string) ([]store.Turn, error) {
	if _, err := db.Call(ctx, callID); err != nil {
		return nil, err
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT call_id, number, started_at, ended_at, input, user, reply, status, reason, timeline
		FROM turns WHERE call_id = ? ORDER BY number`, callID)
	if err != nil {
		return nil, fmt.Errorf("store/sqlite: list turns: %w", err)
	}
	defer rows.Close()
	turns := []store.Turn{}
	for rows.Next() {
		t, err := scanTurn(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("store/sqlite: list turns: %w", err)
		}
		turns = append(turns, t)
	}
	return turns, rows.Err()
}

// DeleteCall implements store.Store. Its turns go with it (foreign key).
func (db *DB) DeleteCall(ctx context.Context, id string) error {
	res, err := db.write.ExecContext(ctx, "DELETE FROM calls WHERE id = ?", id)
	if err != nil {
		return fmt.Errorf("store/sqlite: delete call: %w", err)
	}
	if n, err := res.RowsAffected(); err == nil && n == 0 {
		return store.ErrNotFound
	}
	return nil
}

func scanCall(scan func(...any) error) (store.Call, error) {
	var c store.Call
	var started, ended int64
	err := scan(&c.ID, &started, &ended, &c.Client, &c.Cause, &c.Turns)
	c.StartedAt, c.EndedAt = moment(started), moment(ended)
	return c, err
}

func scanTurn(scan func(...any) error) (store.Turn, error) {
	var t store.Turn
	var started, ended int64
	var line string
	if err := scan(&t.CallID, &t.Number, &started, &ended, &t.Input, &t.User, &t.Reply, &t.Status, &t.Reason, &line); err != nil {
		return t, err
	}
	t.StartedAt, t.EndedAt = moment(started), moment(ended)
	return t, json.Unmarshal([]byte(line), &t.Timeline)
}

// stamp stores a time as nanoseconds since 1970, and no time as 0.
func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
