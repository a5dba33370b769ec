/** The ISO 3166-1 code of the country that an address is registered in, or null when nobody knows. */
export type CountryOf = (ip: string) => string | null
