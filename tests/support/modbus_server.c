/* A Modbus TCP server made with libmodbus, as an independent second opinion: 60 input and 60 holding registers.
 * Pair n of the input registers holds the float 230.2 + n, holding registers hold 100 + address.
 * Usage: modbus_server PORT. Prints "ready" and serves one client after another until it is killed. */
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    modbus_t *context = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
    modbus_mapping_t *mapping = modbus_mapping_new(0, 0, 60, 60);
    int listener = context && mapping ? modbus_tcp_listen(context, 1) : -1;
    if (listener == -1)
        return 1;
    for (int n = 0; n < 30; n++) { /* by hand: what the library's own helpers call ABCD changed between its versions */
        float value = 230.2f + (float) n;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        mapping->tab_input_registers[2 * n] = (uint16_t) (bits >> 16);
        mapping->tab_input_registers[2 * n + 1] = (uint16_t) (bits & 0xFFFF);
    }
    for (int n = 0; n < 60; n++)
        mapping->tab_registers[n] = (uint16_t) (100 + n);
    puts("ready");
    fflush(stdout);
    for (;;) {
        uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
        int length;
        if (modbus_tcp_accept(context, &listener) == -1)
            return 1;
        while ((length = modbus_receive(context, request)) != -1)
            if (length > 0)
                modbus_reply(context, request, length, mapping);
        modbus_close(context);
    }
}
