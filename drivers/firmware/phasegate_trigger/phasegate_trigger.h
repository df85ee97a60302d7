/* Trigger logic of the phasegate micro-controller: bytes and time in, lines and bytes out.
 *
 * Portable C99 without any call to the board, so that a host can compile and test it.
 * Time is microseconds since the board started and must never go back. A pulse that is
 * too early, too close, too often or too late is refused, never shifted.
 *
 * Frame: AA command length payload crc8 55. The CRC is Dallas/Maxim over command, length
 * and payload. Numbers are little-endian.
 */
#ifndef PHASEGATE_TRIGGER_H
#define PHASEGATE_TRIGGER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PG_VERSION 1u
#define PG_LINES 8u
#define PG_MAX_PAYLOAD 16u
#define PG_QUEUE 8u
#define PG_RATE_SLOTS 60u
#define PG_EDGE_SLOTS 16u
#define PG_EDGES_PER_REPLY 3u
#define PG_TX_BYTES 256u

/* Limits of the device itself; the study's own limits are the host's affair. */
#define PG_MIN_INTERVAL_US 10000u   /* rise to rise on one line */
#define PG_RATE_WINDOW_US 2000000u  /* no more than PG_RATE_SLOTS rises within it */
#define PG_MIN_WIDTH_US 10u
#define PG_MAX_WIDTH_US 100000u
#define PG_MAX_AHEAD_US 10000000u
#define PG_MAX_LATE_US 500u
#define PG_FRAME_TIMEOUT_US 20000u
#define PG_WATCHDOG_MS 3000u
#define PG_MIN_WATCHDOG_MS 50u
#define PG_MAX_WATCHDOG_MS 60000u

enum pg_command {
    PG_IDENTIFY = 0x01,
    PG_READ_CLOCK = 0x02,
    PG_ARM = 0x03,
    PG_DISARM = 0x04,
    PG_PULSE = 0x05,
    PG_PULSE_AT = 0x06,
    PG_WATCHDOG = 0x07,
    PG_READ_INPUT_EDGES = 0x08
};

/* A reply carries its command with this bit set. */
#define PG_REPLY 0x80u

enum pg_event {
    PG_PULSED = 0xC1,
    PG_MISSED = 0xC2,
    PG_STOPPED = 0xC3,
    PG_REJECTED = 0xC4
};

enum pg_result {
    PG_OK = 0,
    PG_DISARMED = 1,
    PG_TOO_SOON = 2,
    PG_TOO_MANY = 3,
    PG_PAST = 4,
    PG_TOO_FAR = 5,
    PG_BAD_LINE = 6,
    PG_BAD_VALUE = 7,
    PG_QUEUE_FULL = 8,
    PG_BAD_LENGTH = 9,
    PG_UNKNOWN = 10,
    PG_LATE = 11
};

typedef struct {
    uint64_t t_due;
    uint32_t width_us;
    uint16_t number;
    uint8_t line;
    uint8_t used;
} pg_planned;

typedef struct {
    uint64_t t_edge;
    uint8_t line_and_level; /* bit 7: level, bits 0 to 6: line */
} pg_edge;

typedef struct {
    /* outputs */
    uint8_t lines;
    uint8_t armed;
    uint8_t risen; /* bit per line: it has risen since the start */
    uint64_t t_rise[PG_LINES];
    uint64_t t_fall[PG_LINES];
    uint64_t rate[PG_RATE_SLOTS];
    uint8_t rate_next;
    uint8_t rate_count;
    pg_planned queue[PG_QUEUE];
    /* watchdog */
    uint32_t watchdog_us;
    uint64_t t_frame;
    /* inputs */
    pg_edge edges[PG_EDGE_SLOTS];
    uint8_t edge_first;
    uint8_t edge_count;
    uint8_t edges_lost;
    /* frame that is coming in */
    uint8_t state;
    uint8_t command;
    uint8_t length;
    uint8_t taken;
    uint8_t crc;
    uint8_t payload[PG_MAX_PAYLOAD];
    uint64_t t_byte;
    /* bytes that wait to go out */
    uint8_t tx[PG_TX_BYTES];
    uint16_t tx_count;
} pg_trigger;

/* Start: disarmed, all lines low, nothing planned. */
void pg_init(pg_trigger *trigger, uint64_t now);

/* Take one byte from the host. */
void pg_receive(pg_trigger *trigger, uint8_t byte, uint64_t now);

/* Let time pass: call as often as possible, and set the lines afterwards. */
void pg_tick(pg_trigger *trigger, uint64_t now);

/* Note a change of an input line. */
void pg_input(pg_trigger *trigger, uint8_t line, uint8_t level, uint64_t now);

/* Return the levels of the output lines, bit 0 for line 0. */
uint8_t pg_lines(const pg_trigger *trigger);

/* Move waiting bytes to `to`, at most `room`; return how many. */
uint16_t pg_take(pg_trigger *trigger, uint8_t *to, uint16_t room);

/* Return the size of the state, for hosts that allocate it. */
uint16_t pg_state_size(void);

#ifdef __cplusplus
}
#endif

#endif
