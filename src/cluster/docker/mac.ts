/** The first two octets of every MAC address docker makes (libnetwork netutils/utils.go: genMAC). */
const DOCKER_OUI = 0x0242 * 2 ** 32;

/** The MAC address docker gives a container: 02:42 and the four octets of its address. Below 2^48. */
export const macOfAddress = (address: number): number => DOCKER_OUI + address;
