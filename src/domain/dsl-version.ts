/** The format of app files as it is written today: major and minor are compared, the rest is a matter of wording. */
export const DSL_VERSION = '0.6.0'
