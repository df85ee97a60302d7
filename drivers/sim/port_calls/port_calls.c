/* Calls that a pseudo-terminal does not know, for the programs of others.

   Preloaded, this library answers ioctl() for control lines (TIOCM...) on every
   pseudo-terminal, and for the parallel port (ppdev) on one whose twin has marked it
   so. On a marked port each change is written to the twin as one byte: bit 0 RTS and
   bit 1 DTR, or the data lines. All other calls pass through.

   The marks are two control characters of the terminal that no serial program uses;
   see drivers/sim/pseudo_port.py. What this cannot show is the instant in which Linux
   raises both lines as it opens a port. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

enum { MARK_PLACE = VREPRINT, KIND_PLACE = VDISCARD, MARK = 0xA7 };
enum { LINES = 1, PARALLEL = 2, PARALLEL_HELD = 3 };
enum { FIRST_PTY_MAJOR = 136, LAST_PTY_MAJOR = 143, MOST_PORTS = 64 };

#define PPEXCL 0x708fUL
#define PPCLAIM 0x708bUL
#define PPRELEASE 0x708cUL
#define PPDATADIR 0x40047090UL
#define PPWDATA 0x40017086UL
#define PPRDATA 0x80017085UL
#define PPRSTATUS 0x80017081UL
#define PPWCONTROL 0x40017084UL

typedef int ioctl_function(int, unsigned long, void *);

struct port {
    dev_t device;
    int lines;
    int claimed;
    unsigned char data;
};

static struct port ports[MOST_PORTS];
static int n_ports;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

static ioctl_function *real_ioctl(void)
{
    static ioctl_function *found;
    if (!found)
        *(void **)&found = dlsym(RTLD_NEXT, "ioctl");
    return found;
}

static int is_pseudo_terminal(int fd, dev_t *device)
{
    struct stat about;
    if (fstat(fd, &about) != 0 || !S_ISCHR(about.st_mode))
        return 0;
    *device = about.st_rdev;
    return major(about.st_rdev) >= FIRST_PTY_MAJOR &&
           major(about.st_rdev) <= LAST_PTY_MAJOR;
}

static int kind_of(int fd)
{
    struct termios settings;
    if (tcgetattr(fd, &settings) != 0)
        return -1;
    return settings.c_cc[MARK_PLACE] == MARK ? settings.c_cc[KIND_PLACE] : 0;
}

static struct port *port_of(dev_t device)
{
    for (int i = 0; i < n_ports; i++)
        if (ports[i].device == device)
            return &ports[i];
    if (n_ports == MOST_PORTS)
        return NULL;
    ports[n_ports] = (struct port){.device = device};
    return &ports[n_ports++];
}

static int failed(int number)
{
    errno = number;
    return -1;
}

static int hung_up(int fd)
{
    struct pollfd look = {.fd = fd, .events = 0};
    return poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLERR | POLLNVAL));
}

static int tell(int fd, unsigned char state)
{
    return write(fd, &state, 1) == 1 ? 0 : failed(EIO);
}

static int set_lines(int fd, int kind, struct port *port, int lines)
{
    int before = port->lines;
    port->lines = lines & (TIOCM_RTS | TIOCM_DTR);
    if (hung_up(fd))
        return failed(EIO);
    if (kind != LINES || port->lines == before)
        return 0;
    int rts = (port->lines & TIOCM_RTS) != 0;
    int dtr = (port->lines & TIOCM_DTR) != 0;
    return tell(fd, (unsigned char)(rts | dtr << 1));
}

static int control_lines(int fd, unsigned long request, int *lines, int kind,
                         struct port *port)
{
    switch (request) {
    case TIOCMGET:
        /* The twin is there, so it holds its own lines up. */
        *lines = port->lines | TIOCM_CTS | TIOCM_DSR | TIOCM_CAR;
        return hung_up(fd) ? failed(EIO) : 0;
    case TIOCMBIS:
        return set_lines(fd, kind, port, port->lines | *lines);
    case TIOCMBIC:
        return set_lines(fd, kind, port, port->lines & ~*lines);
    default:
        return set_lines(fd, kind, port, *lines);
    }
}

static int parallel_port(int fd, unsigned long request, void *argument, int kind,
                         struct port *port)
{
    if (hung_up(fd))
        return failed(ENODEV);
    if (request == PPEXCL)
        return 0;
    if (request == PPCLAIM) {
        if (kind == PARALLEL_HELD)
            return failed(ENXIO);
        port->claimed = 1;
        return 0;
    }
    if (!port->claimed)
        return failed(EPERM);
    switch (request) {
    case PPRELEASE:
        port->claimed = 0;
        return 0;
    case PPWDATA:
        port->data = *(unsigned char *)argument;
        return tell(fd, port->data);
    case PPRDATA:
        *(unsigned char *)argument = port->data;
        return 0;
    case PPRSTATUS:
        *(unsigned char *)argument = 0x78;
        return 0;
    default:
        return 0; /* direction, and the control lines, which nothing is wired to */
    }
}

static int is_control(unsigned long request)
{
    return request == TIOCMGET || request == TIOCMSET || request == TIOCMBIS ||
           request == TIOCMBIC;
}

static int is_parallel(unsigned long request)
{
    return request == PPEXCL || request == PPCLAIM || request == PPRELEASE ||
           request == PPDATADIR || request == PPWDATA || request == PPRDATA ||
           request == PPRSTATUS || request == PPWCONTROL;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);

    dev_t device;
    int control = is_control(request);
    if ((!control && !is_parallel(request)) || !is_pseudo_terminal(fd, &device))
        return real_ioctl()(fd, request, argument);
    int kind = kind_of(fd);
    if (kind < 0)
        return failed(control ? EIO : ENODEV);
    if (!control && kind != PARALLEL && kind != PARALLEL_HELD)
        return real_ioctl()(fd, request, argument);

    pthread_mutex_lock(&guard);
    struct port *port = port_of(device);
    int answer;
    if (!port)
        answer = failed(ENOMEM);
    else if (control)
        answer = control_lines(fd, request, argument, kind, port);
    else
        answer = parallel_port(fd, request, argument, kind, port);
    pthread_mutex_unlock(&guard);
    return answer;
}
