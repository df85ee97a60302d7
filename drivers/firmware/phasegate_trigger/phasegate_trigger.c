#include "phasegate_trigger.h"

#include <string.h>

#define FRAME_START 0xAAu
#define FRAME_END 0x55u
#define FRAME_EXTRA 5u

enum { WAIT_START, WAIT_COMMAND, WAIT_LENGTH, WAIT_PAYLOAD, WAIT_CRC, WAIT_END };

static uint8_t crc8(uint8_t crc, uint8_t byte)
{
    uint8_t bit;
    crc ^= byte;
    for (bit = 0; bit < 8; bit++)
        crc = (crc & 1u) ? (uint8_t)((crc >> 1) ^ 0x8Cu) : (uint8_t)(crc >> 1);
    return crc;
}

static uint8_t *put(uint8_t *to, uint64_t value, uint8_t n_bytes)
{
    while (n_bytes--) {
        *to++ = (uint8_t)(value & 0xFFu);
        value >>= 8;
    }
    return to;
}

static uint64_t get(const uint8_t *from, uint8_t n_bytes)
{
    uint64_t value = 0;
    while (n_bytes--)
        value = (value << 8) | from[n_bytes];
    return value;
}

/* A frame that does not fit is left out whole: the host then sees no answer. */
static void send(pg_trigger *trigger, uint8_t command, const uint8_t *payload, uint8_t n)
{
    uint8_t *to = trigger->tx + trigger->tx_count;
    uint8_t crc, i;
    if ((uint16_t)(trigger->tx_count + n + FRAME_EXTRA) > PG_TX_BYTES)
        return;
    *to++ = FRAME_START;
    *to++ = command;
    *to++ = n;
    crc = crc8(crc8(0, command), n);
    for (i = 0; i < n; i++) {
        crc = crc8(crc, payload[i]);
        *to++ = payload[i];
    }
    *to++ = crc;
    *to++ = FRAME_END;
    trigger->tx_count = (uint16_t)(trigger->tx_count + n + FRAME_EXTRA);
}

static void answer(pg_trigger *trigger, uint8_t command, uint8_t result)
{
    send(trigger, (uint8_t)(command | PG_REPLY), &result, 1);
}

static void reject(pg_trigger *trigger, uint8_t command, uint8_t result)
{
    uint8_t payload[2];
    payload[0] = command;
    payload[1] = result;
    send(trigger, PG_REJECTED, payload, 2);
}

static void rest(pg_trigger *trigger)
{
    uint8_t i;
    trigger->armed = 0;
    trigger->lines = 0;
    for (i = 0; i < PG_QUEUE; i++)
        trigger->queue[i].used = 0;
}

/* The rules that hold at the instant of a rise. */
static uint8_t review(const pg_trigger *trigger, uint8_t line, uint64_t now)
{
    uint8_t bit = (uint8_t)(1u << line);
    if (!trigger->armed)
        return PG_DISARMED;
    if (trigger->lines & bit)
        return PG_TOO_SOON;
    if ((trigger->risen & bit) && now - trigger->t_rise[line] < PG_MIN_INTERVAL_US)
        return PG_TOO_SOON;
    if (trigger->rate_count == PG_RATE_SLOTS
        && now - trigger->rate[trigger->rate_next] < PG_RATE_WINDOW_US)
        return PG_TOO_MANY;
    return PG_OK;
}

static void raise_line(pg_trigger *trigger, uint16_t number, uint8_t line,
                       uint32_t width_us, uint64_t now)
{
    uint8_t payload[11];
    uint8_t bit = (uint8_t)(1u << line);
    trigger->lines |= bit;
    trigger->risen |= bit;
    trigger->t_rise[line] = now;
    trigger->t_fall[line] = now + width_us;
    trigger->rate[trigger->rate_next] = now;
    trigger->rate_next = (uint8_t)((trigger->rate_next + 1u) % PG_RATE_SLOTS);
    if (trigger->rate_count < PG_RATE_SLOTS)
        trigger->rate_count++;
    put(put(put(payload, number, 2), line, 1), now, 8);
    send(trigger, PG_PULSED, payload, 11);
}

static uint8_t check_pulse(uint8_t line, uint32_t width_us)
{
    if (line >= PG_LINES)
        return PG_BAD_LINE;
    if (width_us < PG_MIN_WIDTH_US || width_us > PG_MAX_WIDTH_US)
        return PG_BAD_VALUE;
    return PG_OK;
}

static void identify(pg_trigger *trigger)
{
    uint8_t payload[16];
    uint8_t *to = payload;
    to = put(to, 'P', 1);
    to = put(to, 'G', 1);
    to = put(to, PG_VERSION, 1);
    to = put(to, PG_LINES, 1);
    to = put(to, PG_MIN_INTERVAL_US, 4);
    to = put(to, PG_RATE_SLOTS, 2);
    to = put(to, PG_RATE_WINDOW_US, 4);
    put(to, PG_WATCHDOG_MS, 2);
    send(trigger, PG_IDENTIFY | PG_REPLY, payload, 16);
}

static void read_clock(pg_trigger *trigger, uint64_t now)
{
    uint8_t payload[13];
    memcpy(payload, trigger->payload, 4);
    put(put(payload + 4, now, 8), trigger->armed, 1);
    send(trigger, PG_READ_CLOCK | PG_REPLY, payload, 13);
}

static void pulse(pg_trigger *trigger, uint64_t now)
{
    uint8_t line = trigger->payload[0];
    uint32_t width_us = (uint32_t)get(trigger->payload + 1, 4);
    uint8_t result = check_pulse(line, width_us);
    if (result == PG_OK)
        result = review(trigger, line, now);
    answer(trigger, PG_PULSE, result);
    if (result == PG_OK)
        raise_line(trigger, 0, line, width_us, now);
}

static uint8_t plan(pg_trigger *trigger, uint64_t now)
{
    uint8_t line = trigger->payload[2];
    uint32_t width_us = (uint32_t)get(trigger->payload + 3, 4);
    uint64_t t_due = get(trigger->payload + 7, 8);
    uint8_t result = check_pulse(line, width_us);
    uint8_t i;
    if (result != PG_OK)
        return result;
    if (!trigger->armed)
        return PG_DISARMED;
    if (t_due <= now)
        return PG_PAST;
    if (t_due - now > PG_MAX_AHEAD_US)
        return PG_TOO_FAR;
    for (i = 0; i < PG_QUEUE; i++) {
        pg_planned *planned = &trigger->queue[i];
        if (planned->used)
            continue;
        planned->t_due = t_due;
        planned->width_us = width_us;
        planned->number = (uint16_t)get(trigger->payload, 2);
        planned->line = line;
        planned->used = 1;
        return PG_OK;
    }
    return PG_QUEUE_FULL;
}

static void pulse_at(pg_trigger *trigger, uint64_t now)
{
    uint8_t payload[3];
    memcpy(payload, trigger->payload, 2);
    payload[2] = plan(trigger, now);
    send(trigger, PG_PULSE_AT | PG_REPLY, payload, 3);
}

static void set_watchdog(pg_trigger *trigger)
{
    uint32_t ms = (uint32_t)get(trigger->payload, 2);
    /* 0 is not "off": a board that outlives its host must come to rest. */
    if (ms < PG_MIN_WATCHDOG_MS || ms > PG_MAX_WATCHDOG_MS) {
        answer(trigger, PG_WATCHDOG, PG_BAD_VALUE);
        return;
    }
    trigger->watchdog_us = ms * 1000u;
    answer(trigger, PG_WATCHDOG, PG_OK);
}

static void read_input_edges(pg_trigger *trigger)
{
    uint8_t payload[2 + 9 * PG_EDGES_PER_REPLY];
    uint8_t *to = payload + 2;
    uint8_t n = 0;
    while (n < PG_EDGES_PER_REPLY && trigger->edge_count > 0) {
        const pg_edge *edge = &trigger->edges[trigger->edge_first];
        to = put(put(to, edge->t_edge, 8), edge->line_and_level, 1);
        trigger->edge_first = (uint8_t)((trigger->edge_first + 1u) % PG_EDGE_SLOTS);
        trigger->edge_count--;
        n++;
    }
    payload[0] = n;
    payload[1] = trigger->edges_lost;
    trigger->edges_lost = 0;
    send(trigger, PG_READ_INPUT_EDGES | PG_REPLY, payload, (uint8_t)(2 + 9 * n));
}

static uint8_t expected_length(uint8_t command)
{
    switch (command) {
    case PG_READ_CLOCK:
        return 4;
    case PG_PULSE:
        return 5;
    case PG_PULSE_AT:
        return 15;
    case PG_WATCHDOG:
        return 2;
    default:
        return 0;
    }
}

static void execute(pg_trigger *trigger, uint64_t now)
{
    uint8_t command = trigger->command;
    trigger->t_frame = now;
    if (command < PG_IDENTIFY || command > PG_READ_INPUT_EDGES) {
        reject(trigger, command, PG_UNKNOWN);
        return;
    }
    if (trigger->length != expected_length(command)) {
        reject(trigger, command, PG_BAD_LENGTH);
        return;
    }
    switch (command) {
    case PG_IDENTIFY:
        identify(trigger);
        break;
    case PG_READ_CLOCK:
        read_clock(trigger, now);
        break;
    case PG_ARM:
        trigger->armed = 1;
        answer(trigger, command, PG_OK);
        break;
    case PG_DISARM:
        rest(trigger);
        answer(trigger, command, PG_OK);
        break;
    case PG_PULSE:
        pulse(trigger, now);
        break;
    case PG_PULSE_AT:
        pulse_at(trigger, now);
        break;
    case PG_WATCHDOG:
        set_watchdog(trigger);
        break;
    default:
        read_input_edges(trigger);
        break;
    }
}

void pg_init(pg_trigger *trigger, uint64_t now)
{
    memset(trigger, 0, sizeof *trigger);
    trigger->watchdog_us = PG_WATCHDOG_MS * 1000u;
    trigger->t_frame = now;
    trigger->t_byte = now;
}

void pg_receive(pg_trigger *trigger, uint8_t byte, uint64_t now)
{
    /* A frame whose end was lost must not swallow the next one. */
    if (trigger->state != WAIT_START && now - trigger->t_byte > PG_FRAME_TIMEOUT_US)
        trigger->state = WAIT_START;
    trigger->t_byte = now;
    switch (trigger->state) {
    case WAIT_START:
        if (byte == FRAME_START)
            trigger->state = WAIT_COMMAND;
        break;
    case WAIT_COMMAND:
        trigger->command = byte;
        trigger->crc = crc8(0, byte);
        trigger->state = WAIT_LENGTH;
        break;
    case WAIT_LENGTH:
        trigger->length = byte;
        trigger->taken = 0;
        trigger->crc = crc8(trigger->crc, byte);
        if (byte > PG_MAX_PAYLOAD)
            trigger->state = WAIT_START;
        else
            trigger->state = byte ? WAIT_PAYLOAD : WAIT_CRC;
        break;
    case WAIT_PAYLOAD:
        trigger->payload[trigger->taken++] = byte;
        trigger->crc = crc8(trigger->crc, byte);
        if (trigger->taken == trigger->length)
            trigger->state = WAIT_CRC;
        break;
    case WAIT_CRC:
        trigger->state = byte == trigger->crc ? WAIT_END : WAIT_START;
        break;
    default:
        trigger->state = WAIT_START;
        if (byte == FRAME_END)
            execute(trigger, now);
        break;
    }
}

static void fire_planned(pg_trigger *trigger, pg_planned *planned, uint64_t now)
{
    uint8_t payload[4];
    uint8_t result = PG_LATE;
    planned->used = 0;
    if (now - planned->t_due <= PG_MAX_LATE_US)
        result = review(trigger, planned->line, now);
    if (result == PG_OK) {
        raise_line(trigger, planned->number, planned->line, planned->width_us, now);
        return;
    }
    put(put(put(payload, planned->number, 2), planned->line, 1), result, 1);
    send(trigger, PG_MISSED, payload, 4);
}

void pg_tick(pg_trigger *trigger, uint64_t now)
{
    uint8_t i;
    if (trigger->armed && now - trigger->t_frame >= trigger->watchdog_us) {
        uint8_t reason = 1;
        rest(trigger);
        send(trigger, PG_STOPPED, &reason, 1);
    }
    for (i = 0; i < PG_LINES; i++)
        if ((trigger->lines & (1u << i)) && now >= trigger->t_fall[i])
            trigger->lines &= (uint8_t)~(1u << i);
    for (i = 0; i < PG_QUEUE; i++)
        if (trigger->queue[i].used && now >= trigger->queue[i].t_due)
            fire_planned(trigger, &trigger->queue[i], now);
}

void pg_input(pg_trigger *trigger, uint8_t line, uint8_t level, uint64_t now)
{
    pg_edge *edge;
    if (trigger->edge_count == PG_EDGE_SLOTS) {
        if (trigger->edges_lost < 255u)
            trigger->edges_lost++;
        return;
    }
    edge = &trigger->edges[(trigger->edge_first + trigger->edge_count) % PG_EDGE_SLOTS];
    edge->t_edge = now;
    edge->line_and_level = (uint8_t)((line & 0x7Fu) | (level ? 0x80u : 0u));
    trigger->edge_count++;
}

uint8_t pg_lines(const pg_trigger *trigger)
{
    return trigger->lines;
}

uint16_t pg_take(pg_trigger *trigger, uint8_t *to, uint16_t room)
{
    uint16_t n = trigger->tx_count < room ? trigger->tx_count : room;
    memcpy(to, trigger->tx, n);
    memmove(trigger->tx, trigger->tx + n, (size_t)(trigger->tx_count - n));
    trigger->tx_count = (uint16_t)(trigger->tx_count - n);
    return n;
}

uint16_t pg_state_size(void)
{
    return (uint16_t)sizeof(pg_trigger);
}
