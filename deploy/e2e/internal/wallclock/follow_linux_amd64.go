package wallclock

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// gettime takes the place of the vDSO's clock_gettime: it asks the kernel itself
// and adds offset to the time of day.
func gettime()

var (
	entry  uintptr // address of gettime; set in assembly
	offset *int64  // seconds, in a mapped file
)

// Follow moves this process's wall clock as the file of a Clock says, from now on.
func Follow(file string) error {
	_ = gettime // used by its address
	if offset != nil {
		return errors.New("this process follows a clock already")
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	shared, err := syscall.Mmap(int(f.Fd()), 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map %s: %w", file, err)
	}
	at, err := find()
	if err != nil {
		return err
	}
	page := uintptr(os.Getpagesize())
	first := at.addr &^ (page - 1)
	if err := protect(first, 2*page, syscall.PROT_READ|syscall.PROT_WRITE|syscall.PROT_EXEC); err != nil {
		return err
	}
	offset = (*int64)(unsafe.Pointer(&shared[0]))
	jump := binary.LittleEndian.AppendUint64([]byte{0x48, 0xb8}, uint64(entry)) // MOV RAX, entry
	jump = append(jump, 0xff, 0xe0)                                             // JMP RAX
	// No other thread should be inside what is replaced: called first of all, there
	// is hardly one that asks for the time.
	copy(at.code, jump)
	return protect(first, 2*page, syscall.PROT_READ|syscall.PROT_EXEC)
}

// possible says why no process can follow a clock here, nil if it can.
func possible() error {
	at, err := find()
	if err != nil {
		return err
	}
	// A kernel may have sealed it.
	page := uintptr(os.Getpagesize())
	return protect(at.addr&^(page-1), 2*page, syscall.PROT_READ|syscall.PROT_EXEC)
}

func protect(addr, size uintptr, how int) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_MPROTECT, addr, size, uintptr(how)); errno != 0 {
		return fmt.Errorf("the kernel's vDSO: %w", errno)
	}
	return nil
}

// function is the code of a function in memory.
type function struct {
	addr uintptr
	code []byte
}

// find looks for clock_gettime in the vDSO, the little library that the kernel
// maps into each process.
func find() (function, error) {
	var from, to uintptr
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return function{}, err
	}
	for line := range strings.Lines(string(maps)) {
		area, ok := strings.CutSuffix(strings.TrimSpace(line), "[vdso]")
		if !ok {
			continue
		}
		low, high, _ := strings.Cut(strings.Fields(area)[0], "-")
		a, errA := strconv.ParseUint(low, 16, 64)
		b, errB := strconv.ParseUint(high, 16, 64)
		if err := errors.Join(errA, errB); err != nil {
			return function{}, err
		}
		from, to = uintptr(a), uintptr(b)
	}
	if from == 0 {
		return function{}, errors.New("this kernel has no vDSO")
	}
	image := unsafe.Slice((*byte)(pointer(from)), to-from)
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return function{}, fmt.Errorf("read the vDSO: %w", err)
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return function{}, fmt.Errorf("read the vDSO: %w", err)
	}
	for _, s := range symbols {
		if s.Name == "__vdso_clock_gettime" && s.Value+16 <= uint64(len(image)) {
			return function{from + uintptr(s.Value), image[s.Value : s.Value+16]}, nil
		}
	}
	return function{}, errors.New("the vDSO has no clock_gettime")
}

// pointer makes a pointer of an address that the kernel has mapped for good, and
// that the garbage collector knows nothing of.
func pointer(addr uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&addr)) }
