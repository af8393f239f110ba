package io.pensieve.server.http;

import java.net.http.HttpResponse;

/** What a GET was answered. */
record HttpAnswer(int status, String body) {
  static HttpAnswer of(ServerUnderTest server, String path) throws Exception {
    HttpResponse<String> answer = server.send(server.request(path));
    return new HttpAnswer(answer.statusCode(), answer.body());
  }

  String code() {
    return ServerUnderTest.code(body);
  }
}
