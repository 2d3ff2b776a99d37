//! How the C library's allocator treats large buffers.

/// Above this size in bytes, a buffer is mapped, so that the system gets its memory back as soon as
/// the buffer is dropped. This is glibc's own default.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED: libc::c_int = 128 * 1024;

/// Keeps glibc from raising its default whenever it frees a mapped buffer.
///
/// It would take all later buffers of that size from memory that it keeps, and it keeps some for
/// each thread: about 25 MiB more while many clients send large bodies.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn return_large_buffers() {
    // SAFETY: it changes a number in the allocator, under the allocator's own lock.
    #[expect(unsafe_code, reason = "no library calls it")]
    unsafe {
        // 0 if it is refused, and then the default stays
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED);
    }
}

/// Other C libraries have no such default.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn return_large_buffers() {}
