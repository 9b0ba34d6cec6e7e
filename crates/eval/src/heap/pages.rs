//! Memory from the kernel.
//!
//! Pages of the usual size, many in one call. Large ones would be fewer, but a page that was not in use for a while costs
//! most in a virtual machine whose host takes such pages back, and those are the large ones; see
//! docs/design/0001-evaluator.md.

use std::ptr::NonNull;

/// A reservation of zeros; pages that are not touched take no memory. It does not pass through the allocator of the
/// program, which would look after it piece by piece.
#[cfg(target_os = "linux")]
pub(super) fn zeroed(bytes: usize) -> Option<NonNull<u8>> {
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a fresh mapping of nothing, at a place that the kernel chooses.
    let at = unsafe { libc::mmap(std::ptr::null_mut(), bytes, access, kind | libc::MAP_NORESERVE, -1, 0) };
    if at == libc::MAP_FAILED { None } else { NonNull::new(at.cast()) }
}

/// Ends a reservation.
///
/// # Safety
/// It was made by [`zeroed`] with this size, and nothing refers to it.
#[cfg(target_os = "linux")]
pub(super) unsafe fn give_back(at: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        libc::munmap(at.as_ptr().cast(), bytes);
    }
}

/// A reservation of zeros; pages that are not touched take no memory.
#[cfg(not(target_os = "linux"))]
pub(super) fn zeroed(bytes: usize) -> Option<NonNull<u8>> {
    let layout = std::alloc::Layout::array::<u64>(bytes / 8).ok()?;
    // SAFETY: no reservation is smaller than `MIN_WORDS` words, or bits for them.
    NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) })
}

/// Ends a reservation.
///
/// # Safety
/// It was made by [`zeroed`] with this size, and nothing refers to it.
#[cfg(not(target_os = "linux"))]
pub(super) unsafe fn give_back(at: NonNull<u8>, bytes: usize) {
    if let Ok(layout) = std::alloc::Layout::array::<u64>(bytes / 8) {
        // SAFETY: the caller's promise.
        unsafe { std::alloc::dealloc(at.as_ptr(), layout) }
    }
}

/// The size of a page, or a divisor of it.
#[cfg(target_os = "linux")]
const PAGE: usize = 4096;

/// Lets the kernel give the pages of a range at once, instead of each when it is first written to. Where it does
/// not know how (before Linux 5.14), or has none left, they come one by one.
///
/// # Safety
/// The range lies inside of a reservation of [`zeroed`].
#[cfg(target_os = "linux")]
pub(super) unsafe fn touch(start: usize, bytes: usize) {
    let (start, end) = (start.next_multiple_of(PAGE), (start + bytes) & !(PAGE - 1));
    if start < end {
        // SAFETY: the caller's promise; the advice changes no contents.
        unsafe {
            libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_POPULATE_WRITE);
        }
    }
}

/// Pages come one by one.
///
/// # Safety
/// None is needed here.
#[cfg(not(target_os = "linux"))]
pub(super) unsafe fn touch(_start: usize, _bytes: usize) {}
