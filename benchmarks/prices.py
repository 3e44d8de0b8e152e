"""List prices of us-east-1 in dollars, without any free tier, as known on 2026-11-29.

From the pricing pages of Lambda (arm64), DynamoDB (on demand, standard class), SQS, Secrets Manager, CloudWatch,
EventBridge (Scheduler), API Gateway (HTTP APIs), KMS, S3 and X-Ray: https://aws.amazon.com/<service>/pricing/.
`ALWAYS_FREE` is what an account has every month for good, from the same pages.
"""

from collections.abc import Mapping

MILLION = 1_000_000

PRICES: Mapping[str, float] = {
    "alarm": 0.10,  # each metric that an alarm reads
    "dashboard": 3.00,
    "custom metric": 0.30,  # by the hours in which it is written
    "log GB": 0.50,
    "log GB kept": 0.03,
    "secret": 0.40,
    "secret call": 0.05 / 10_000,
    "key call": 0.03 / 10_000,
    "standard queue request": 0.40 / MILLION,
    "FIFO queue request": 0.50 / MILLION,
    "schedule": 1.00 / MILLION,
    "function call": 0.20 / MILLION,
    "function GB second": 0.0000133334,
    "read unit": 0.125 / MILLION,
    "write unit": 0.625 / MILLION,
    "table GB": 0.25,
    "backup GB": 0.20,  # point-in-time recovery
    "API request": 1.00 / MILLION,
    "trace": 5.00 / MILLION,
    "object write": 5.00 / MILLION,
    "object GB": 0.023,
}

ALWAYS_FREE: Mapping[str, float] = {
    "alarm": 10,
    "dashboard": 3,
    "custom metric": 10,
    "log GB": 5,
    "key call": 20_000,
    "standard queue request": MILLION,  # of both kinds together
    "schedule": 14 * MILLION,
    "function call": MILLION,
    "function GB second": 400_000,
    "table GB": 25,
    "trace": 100_000,
}
