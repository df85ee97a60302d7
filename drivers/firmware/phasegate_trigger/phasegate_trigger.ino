// Board side of the phasegate trigger: pins, clock and serial port around the logic.
//
// Board: any with at least 1.5 kB of free memory, a native USB port and 8 free pins.
// On a Teensy the port is USB whatever the rate; elsewhere the host opens 115200.

#include "phasegate_trigger.h"

static const uint8_t OUTPUT_PINS[PG_LINES] = {2, 3, 4, 5, 6, 7, 8, 9};
static const uint8_t INPUT_PINS[] = {14, 15};
static const uint8_t N_INPUTS = sizeof(INPUT_PINS) / sizeof(INPUT_PINS[0]);

static pg_trigger trigger;
static uint8_t shown;
static uint8_t levels[N_INPUTS];

// micros() starts again at 0 after 71 minutes; the logic must never see that.
static uint64_t now_us()
{
    static uint32_t high;
    static uint32_t last;
    uint32_t low = micros();
    if (low < last)
        high++;
    last = low;
    return ((uint64_t)high << 32) | low;
}

static void show(uint8_t lines)
{
    uint8_t changed = lines ^ shown;
    for (uint8_t i = 0; changed; i++, changed >>= 1)
        if (changed & 1)
            digitalWrite(OUTPUT_PINS[i], (lines >> i) & 1 ? HIGH : LOW);
    shown = lines;
}

void setup()
{
    // Low before they are outputs, so that no pin rises for an instant.
    for (uint8_t i = 0; i < PG_LINES; i++) {
        digitalWrite(OUTPUT_PINS[i], LOW);
        pinMode(OUTPUT_PINS[i], OUTPUT);
    }
    for (uint8_t i = 0; i < N_INPUTS; i++) {
        pinMode(INPUT_PINS[i], INPUT);
        levels[i] = digitalRead(INPUT_PINS[i]);
    }
    Serial.begin(115200);
    pg_init(&trigger, now_us());
}

void loop()
{
    uint8_t out[32];
    if (Serial.available()) {
        uint8_t byte = Serial.read();
        pg_receive(&trigger, byte, now_us());
    }
    pg_tick(&trigger, now_us());
    show(pg_lines(&trigger));
    for (uint8_t i = 0; i < N_INPUTS; i++) {
        uint8_t level = digitalRead(INPUT_PINS[i]);
        if (level != levels[i])
            pg_input(&trigger, i, level, now_us());
        levels[i] = level;
    }
    // Only what fits at once: a host that does not read must not hold up a falling edge.
    int room = Serial.availableForWrite();
    if (room > 0) {
        uint16_t n = pg_take(&trigger, out, room < 32 ? room : 32);
        if (n)
            Serial.write(out, n);
    }
}
