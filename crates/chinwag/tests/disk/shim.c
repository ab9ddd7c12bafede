/* Between the server and the C library: a disk that fails when a file says so.
 * $CHINWAG_TEST_DISK/full: writes to the database fail with ENOSPC.
 * $CHINWAG_TEST_DISK/sync-fails: fsync and fdatasync fail with EIO. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int told(const char *what) {
    char path[4096];
    const char *folder = getenv("CHINWAG_TEST_DISK");
    if (!folder) return 0;
    snprintf(path, sizeof path, "%s/%s", folder, what);
    return access(path, F_OK) == 0;
}

/* Sockets, pipes and the log are not the disk. */
static int database(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, "chat.db") != NULL;
}

#define REAL(type, name) \
    static type real; \
    if (!real) real = (type)dlsym(RTLD_NEXT, name)

typedef int (*sync_fn)(int);
typedef ssize_t (*write_fn)(int, const void *, size_t);
typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off_t);

int fsync(int fd) {
    REAL(sync_fn, "fsync");
    if (told("sync-fails")) { errno = EIO; return -1; }
    return real(fd);
}

int fdatasync(int fd) {
    REAL(sync_fn, "fdatasync");
    if (told("sync-fails")) { errno = EIO; return -1; }
    return real(fd);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(write_fn, "write");
    if (told("full") && database(fd)) { errno = ENOSPC; return -1; }
    return real(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    REAL(pwrite_fn, "pwrite");
    if (told("full") && database(fd)) { errno = ENOSPC; return -1; }
    return real(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at) {
    REAL(pwrite_fn, "pwrite64");
    if (told("full") && database(fd)) { errno = ENOSPC; return -1; }
    return real(fd, bytes, count, at);
}
