/** The ports of a local cluster: node N listens on base port + N, and for Kafka's clients so much above. */
export const BASE_PORT = 7000;
export const KAFKA_PORT_OFFSET = 2090;
