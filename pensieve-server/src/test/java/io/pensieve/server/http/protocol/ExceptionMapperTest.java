package io.pensieve.server.http.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pensieve.server.http.json.ProblemType;
import java.util.concurrent.CompletionException;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

class ExceptionMapperTest {
  @Test
  void anUnexpectedExceptionIsTheServersFault() {
    Logger logger = Logger.getLogger(ExceptionMapper.class.getName());
    boolean parentHandlers = logger.getUseParentHandlers();
    logger.setUseParentHandlers(false);
    try {
      for (RuntimeException fault :
          new RuntimeException[] {
            new ArithmeticException("/ by zero"),
            new NumberFormatException(),
            new CompletionException(null)
          }) {
        assertEquals(ProblemType.INTERNAL_ERROR, ExceptionMapper.problemFor(fault).type());
        assertEquals(
            ProblemType.INTERNAL_ERROR,
            ExceptionMapper.problemFor(new CompletionException(fault)).type());
      }
    } finally {
      logger.setUseParentHandlers(parentHandlers);
    }
  }
}
